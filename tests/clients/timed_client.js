// Posts one after another on a connection: HOST PATH BODY-FILE SECONDS.
//
// Begins with a line of input, warms up for half a second, and prints a JSON
// object: requests a second, and the 99th percentile of their times in
// microseconds.
const { number: seconds, post } = require("./https_client.js");

async function posts(duration) {
  const end = Date.now() + duration * 1000;
  const times = [];
  while (Date.now() < end) {
    const start = process.hrtime.bigint();
    await post();
    times.push(Number(process.hrtime.bigint() - start));
  }
  return times;
}

process.stdin.once("data", async () => {
  await posts(0.5);
  const times = (await posts(seconds)).sort((a, b) => a - b);
  const total = times.reduce((a, b) => a + b, 0);
  const rate = times.length / (total / 1e9);
  const p99 = times[Math.floor((times.length * 99) / 100)] / 1000;
  console.log(JSON.stringify({ rate, p99 }));
  process.exit(0);
});
