// The baseline of the cached analyze: the least that an Express server of this route does. It parses the body as any
// Express API does, ignores it, and answers with a constant of the same bytes that quiz-stats computes.
import express from "express";

const answer = {
  status: "success",
  answers: [3],
  questionCount: 1,
  message: "Questions analyzed successfully",
  analysisId: "019ab000-0000-7000-8000-000000000000",
  channel: "default",
  position: null,
  results: [
    {
      index: 1, id: null, answer: 3, selected: [3], confidence: 0.9, probabilities: [0.05, 0.03, 0.9, 0.02],
      source: "cache", model: "stub", method: "json_schema", calls: 0, flags: [], error: null,
    },
  ],
  usage: { promptTokens: 0, completionTokens: 0, cachedQuestions: 1, coalescedQuestions: 0 },
  timeline: null,
};

const app = express();
// `bare` leaves out what Express adds by default and a fast server would do without.
if (process.argv[2] === "bare") {
  app.disable("etag");
  app.disable("x-powered-by");
}
app.post("/api/analyze", express.json(), (request, response) => {
  response.json(answer);
});
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
