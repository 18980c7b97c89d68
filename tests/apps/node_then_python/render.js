// Markdown in, HTML out: what the Django view lets Node do when the app runs.
const { marked } = require("marked");

process.stdin.setEncoding("utf8");
let text = "";
process.stdin.on("data", (part) => (text += part)).on("end", () => process.stdout.write(marked.parse(text)));
