// What a bundler would do, with a package that only the build needs.
const fs = require("node:fs");
const semver = require("semver");

const built = { major: semver.major(process.version), greeting: process.env.GREETING ?? null };
fs.mkdirSync("dist", { recursive: true });
fs.writeFileSync("dist/built.json", JSON.stringify(built));
console.log("built dist/built.json");
