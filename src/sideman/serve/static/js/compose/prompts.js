/**
 * The prompts a model knows, as three menus of which each depends on those before it. Pure.
 */
export const PROMPT = ["period", "composer", "instrumentation"];

/** For each menu what can be chosen in it, given what is chosen in the menus before: name -> values. */
export function menus(prompts, chosen) {
  const left = (depth) => prompts.filter((prompt) => PROMPT.slice(0, depth).every((name) => prompt[name] === chosen[name]));
  const values = (name, depth) => [...new Set(left(depth).map((prompt) => prompt[name]))].sort((a, b) => a.localeCompare(b));
  return Object.fromEntries(PROMPT.map((name, depth) => [name, values(name, depth)]));
}

/** The choice brought to a prompt there is: each menu keeps its value if it can and takes its first if not. No period: no prompt. */
export function completed(prompts, chosen) {
  const whole = Object.fromEntries(PROMPT.map((name) => [name, ""]));
  if (!prompts.some(({ period }) => period === chosen.period)) return whole;
  for (const name of PROMPT) {
    const values = menus(prompts, whole)[name];
    whole[name] = values.includes(chosen[name]) ? chosen[name] : values[0];
  }
  return whole;
}

/** "Art_Song" as people write it. */
export function worded(name) {
  return name.replaceAll("_", " ");
}
