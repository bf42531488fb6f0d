// Waits until the page has not changed for `quiet` milliseconds, at most `limit`; whether it came to rest. A function:
// src/extract.rs calls it.
(quiet, limit) => new Promise((done) => {
  const end = (rest) => {
    changes.disconnect();
    clearTimeout(silence);
    clearTimeout(patience);
    done(rest);
  };
  // Without scripts nothing will change.
  const silent = document.scripts.length ? Math.min(quiet, limit) : 0;
  const listen = () => setTimeout(() => end(true), silent);
  let silence = listen();
  const patience = setTimeout(() => end(false), limit);
  const changes = new MutationObserver(() => {
    clearTimeout(silence);
    silence = listen();
  });
  changes.observe(document, {
    childList: true,
    subtree: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['class', 'style', 'hidden', 'open'],
  });
})
