// axios: HOST PATH BODY-FILE COUNT requests on one connection.
const fs = require("fs");
const https = require("https");
const axios = require("axios");

const [host, path, file, count] = process.argv.slice(2);
const body = fs.readFileSync(file);
const httpsAgent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const headers = { "Content-Type": "application/json" };

(async () => {
  for (let sent = 0; sent < Number(count); sent++) {
    const response = await axios.post(`https://${host}${path}`, body, { httpsAgent, headers });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
  }
  httpsAgent.destroy();
})();
