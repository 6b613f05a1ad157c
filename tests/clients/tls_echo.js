// A TLS server and its client in one process, on the Unix socket that is named:
// the shared key needs no certificate.
const net = require('net');
const tls = require('tls');

const path = process.argv[2];
const options = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' };
const key = Buffer.alloc(16, 7);
const messages = [Buffer.from('hello'), Buffer.alloc(40000)];
const expected = messages.reduce((sum, message) => sum + message.length, 0);

const server = tls.createServer({ ...options, pskCallback: () => key }, (socket) => {
  socket.on('data', (data) => socket.write(data));
  socket.on('end', () => socket.end());
});

server.listen(path, () => {
  const client = tls.connect({
    ...options,
    socket: net.connect(path),
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk: key, identity: 'name' }),
  });
  let received = 0;
  client.on('data', (data) => {
    received += data.length;
    if (received === expected) client.end();
  });
  client.on('close', () => server.close());
  messages.forEach((message) => client.write(message));
});
