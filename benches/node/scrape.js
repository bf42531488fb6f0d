// The baseline of reading pages: the least that a Playwright service does. One browser, a new context per page, and the
// answer before the context is closed. No robots.txt, no guard on where the page may go, nothing told of how it went.
import http from "node:http";
import { chromium } from "playwright-core";

// Started with the server, not with the first page: whoever asks first waits for less. Its sandbox as quiz-stats has it:
// Chromium refuses it to root.
const starting = chromium.launch({
  executablePath: process.argv[2],
  chromiumSandbox: process.getuid() !== 0,
  handleSIGTERM: false,
});
process.on("SIGTERM", async () => {
  await (await starting).close();
  process.exit();
});

// Every radio's label, under the text of its group: runs in the page.
const questions = () =>
  [...document.querySelectorAll("fieldset")].map((group) => ({
    question: group.querySelector("legend").textContent,
    answers: [...group.querySelectorAll("input[type=radio]")].map((radio) => radio.labels[0].textContent.trim()),
  }));

async function read({ url, waitUntil, waitFor, holdMs }, answer) {
  const context = await (await starting).newContext();
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil });
    if (waitFor) await page.waitForSelector(waitFor);
    if (holdMs) await page.waitForTimeout(holdMs);
    const found = await page.evaluate(questions);
    answer(200, { questionCount: found.length, questions: found });
  } finally {
    await context.close();
  }
}

const server = http.createServer((request, response) => {
  const chunks = [];
  const answer = (status, body) => {
    response.statusCode = status;
    response.end(JSON.stringify(body));
  };
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    read(JSON.parse(Buffer.concat(chunks)), answer).catch((error) => answer(500, { error: String(error) }));
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
