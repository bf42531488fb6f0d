// File: what a host drops or chooses, as text for the quiz field.

/** Far above any quiz, and what a text field still takes without a pause, in bytes. The server has a limit of its own. */
export const LARGEST = 4 * 1024 * 1024;

/**
 * @param {Blob & {name: string}} file
 * @returns {Promise<{text: string|null, problem: string|null}>} one of the two; `problem` is the key of a string
 */
export async function readQuizFile(file) {
  const no = (problem) => ({ text: null, problem });
  if (file.size > LARGEST) return no("console.fileTooLarge");
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    // A folder, or a file that has been moved meanwhile.
    return no("console.fileUnreadable");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) return no("console.fileNoText");
    return text.trim() ? { text, problem: null } : no("console.fileEmpty");
  } catch {
    return no("console.fileNoText");
  }
}

/**
 * Takes files that are dropped anywhere on the page. One that misses a field would make the browser leave the page, and the
 * key with it.
 * @param {EventTarget} page
 * @param {HTMLElement} target carries the class `over` while a file hangs above the page
 * @param {(files: File[]) => void} onFiles
 */
export function takeDrops(page, target, onFiles) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  page.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    target.classList.add("over");
  });
  page.addEventListener("dragleave", (event) => {
    // Going from one element to another leaves too, but the page only when there is nothing beyond.
    if (event.relatedTarget === null) target.classList.remove("over");
  });
  page.addEventListener("drop", (event) => {
    target.classList.remove("over");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
}
