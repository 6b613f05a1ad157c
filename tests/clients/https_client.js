// What Node's https clients share: HOST PATH BODY-FILE are their first arguments, and
// all posts go over one connection.
const fs = require("fs");
const https = require("https");

const [host, path, file, number] = process.argv.slice(2);
const body = fs.readFileSync(file);
const ca = fs.readFileSync(process.env.SSL_CERT_FILE);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
const headers = { "Content-Type": "application/json", "Content-Length": body.length };

function post() {
  return new Promise((resolve, reject) => {
    const request = https.request({ host, path, method: "POST", agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on("end", resolve);
      response.resume();
    });
    request.on("error", reject);
    request.end(body);
  });
}

module.exports = { agent, number: Number(number), post };
