// Runs the page's own checks in node: one JSON line in ({path, policy}), one JSON line out. No check is made here.
const fs = require("node:fs");
const readline = require("node:readline");
const checks = require(process.argv[2]);
const words = require(process.argv[3]);

async function answer({ path, policy }) {
  const bundle = new Blob([fs.readFileSync(path)]);
  const result = await checks.verify(bundle, policy === null ? null : Buffer.from(policy, "base64"));
  return {
    word: result.word,
    exit: result.exit,
    failed: result.failed,
    states: Object.fromEntries(result.checks.map((row) => [row.name, row.state])),
    codes: result.checks.map((row) => row.code),
    located: result.located.map(({ code, label, path: where, place, event }) => ({ code, label, path: where, place, event: event && event.index })),
    unworded: [...result.checks, ...result.located].map((row) => row.code).filter((code) => code !== "ok" && !(code in words.en)),
  };
}
(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let said;
    try { said = await answer(JSON.parse(line)); } catch (error) { said = { word: "CRASH", failed: String(error.stack) }; }
    process.stdout.write(JSON.stringify(said) + "\n");
  }
})();
