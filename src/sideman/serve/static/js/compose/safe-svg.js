/**
 * SVG text as an element of this page, without anything that runs or loads.
 */
const FORBIDDEN = "script, foreignObject, iframe, image, a, animate, set";

export function safeSvg(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const svg = parsed.documentElement;
  if (svg.localName !== "svg") throw new Error("The server's drawing cannot be read.");
  for (const element of svg.querySelectorAll(FORBIDDEN)) element.remove();
  for (const element of [svg, ...svg.querySelectorAll("*")])
    for (const { name, localName, value } of [...element.attributes])
      if (/^on/i.test(name) || (localName === "href" && !value.startsWith("#"))) element.removeAttribute(name);
  return document.importNode(svg, true);
}
