// A process that does nothing, like a server at rest.
console.log("ready");
process.stdin.resume();
