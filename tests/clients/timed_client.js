// Posts one after another on a connection: HOST PATH BODY-FILE SECONDS.
//
// Begins with a line of input, warms up for half a second, and prints a JSON
// object: requests a second, and the 99th percentile of their times in
// microseconds.
const fs = require("fs");
const https = require("https");

const [host, path, file, seconds] = process.argv.slice(2);
const body = fs.readFileSync(file);
const ca = fs.readFileSync(process.env.SSL_CERT_FILE);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
const headers = { "Content-Type": "application/json", "Content-Length": body.length };

function post() {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const request = https.request({ host, path, method: "POST", agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on("end", () => resolve(Number(process.hrtime.bigint() - start)));
      response.resume();
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function posts(duration) {
  const end = Date.now() + duration * 1000;
  const times = [];
  while (Date.now() < end) times.push(await post());
  return times;
}

process.stdin.once("data", async () => {
  await posts(0.5);
  const times = (await posts(Number(seconds))).sort((a, b) => a - b);
  const total = times.reduce((a, b) => a + b, 0);
  const rate = times.length / (total / 1e9);
  const p99 = times[Math.floor((times.length * 99) / 100)] / 1000;
  console.log(JSON.stringify({ rate, p99 }));
  process.exit(0);
});
