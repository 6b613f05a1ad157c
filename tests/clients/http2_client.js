// Node's http2: HOST PATH BODY-FILE COUNT requests on one connection.
const fs = require("fs");
const http2 = require("http2");

const [host, path, file, count] = process.argv.slice(2);
const body = fs.readFileSync(file);
const session = http2.connect(`https://${host}`, { ca: fs.readFileSync(process.env.SSL_CERT_FILE) });

function post() {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/json",
    });
    stream.on("response", (headers) => {
      if (headers[":status"] !== 200) reject(new Error(`status ${headers[":status"]}`));
    });
    stream.on("error", reject);
    stream.on("end", resolve);
    stream.resume();
    stream.end(body);
  });
}

(async () => {
  for (let sent = 0; sent < Number(count); sent++) await post();
  session.close();
})();
