// fetch of Node, Bun and Deno: HOST PATH BODY-FILE COUNT requests.
import { readFileSync } from "node:fs";
import process from "node:process";

const [host, path, file, count] = process.argv.slice(2);
const body = readFileSync(file);
const headers = { "Content-Type": "application/json" };
for (let sent = 0; sent < Number(count); sent++) {
  const response = await fetch(`https://${host}${path}`, { method: "POST", body, headers });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  await response.arrayBuffer();
}
process.exit(0);
