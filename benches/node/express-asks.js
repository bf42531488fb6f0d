// The baseline of the unknown question: the least that an Express server does that asks an OpenAI-compatible server. It
// shows the question in the order it came, reads the letters' log-probabilities, keeps nothing, and retries nothing.
import express from "express";

const model = process.argv[2];
const system = "You answer multiple-choice questions. Exactly one option is right. Reply with its letter alone.";

const app = express();
app.disable("etag");
app.disable("x-powered-by");
app.post("/api/analyze", express.json(), async (request, response) => {
  const [question] = request.body.questions;
  const options = question.answers.map((text, index) => ({ option: String.fromCharCode(65 + index), text }));
  const asked = await fetch(`${model}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "stub", temperature: 0, max_tokens: 1, logprobs: true, top_logprobs: 20,
      messages: [
        { role: "system", content: system },
        { role: "user", content: JSON.stringify({ question: question.question, options }) },
      ],
    }),
  });
  const completion = await asked.json();
  const probabilities = options.map(() => 0);
  for (const { token, logprob } of completion.choices[0].logprobs.content[0].top_logprobs) {
    const index = token.trim().charCodeAt(0) - 65;
    if (index in probabilities) probabilities[index] += Math.exp(logprob);
  }
  const sum = probabilities.reduce((a, b) => a + b, 0);
  const shares = probabilities.map((p) => p / sum);
  const answer = 1 + shares.indexOf(Math.max(...shares));
  response.json({ status: "success", answers: [answer], results: [{ index: 1, answer, confidence: shares[answer - 1], probabilities: shares }] });
});
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
