// Start page: the example with this server's own address, and a button that copies it.

const button = document.getElementById("copy");
const example = document.getElementById("example");

document.getElementById("origin").textContent = location.origin;

button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(example.textContent);
    button.textContent = "Copied";
  } catch {
    // No clipboard on plain http from another machine: mark the text, so that one key copies it.
    getSelection().selectAllChildren(example);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = "Copy"), 2500);
});
