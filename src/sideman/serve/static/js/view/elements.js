/**
 * Elements made by hand, and files handed to the browser's downloads.
 */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function button(text, onClick, label = "") {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", onClick);
  if (label) made.setAttribute("aria-label", label);
  return made;
}

/** Does the work while the control can be seen to be busy and not pressed again. */
export async function whileBusy(control, work) {
  control.disabled = true;
  control.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    control.disabled = false;
    control.removeAttribute("aria-busy");
  }
}

/** Downloads a Blob as `title`.`ending`. */
export function save(blob, title, ending) {
  const url = URL.createObjectURL(blob);
  const link = element("a");
  link.href = url;
  link.download = `${title.replace(/[^\w-]+/g, " ").trim()}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
