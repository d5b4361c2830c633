// Numbers and names as Pricer writes them everywhere: the twin of pricer/figures/formats.py.

const PLAIN = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const CENTS = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const TENTHS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const NOT_MEASURED = "–";

export const count = (number) => PLAIN.format(number);
export const countOf = (number, noun) => `${count(number)} ${noun}${Math.round(number) === 1 ? "" : "s"}`;
export const dollars = (amount) => (Number.isFinite(amount) ? `$${CENTS.format(amount)}` : NOT_MEASURED);
export const wholeDollars = (amount) => (amount ? `$${PLAIN.format(amount)}` : NOT_MEASURED);

export function percent(share) {
  if (!Number.isFinite(share)) return NOT_MEASURED;
  if (share > 0 && share < 0.001) return "<0.1%";
  return share === 0 || share === 1 ? `${100 * share}%` : `${(100 * share).toFixed(1)}%`;
}

// A count on an axis: in thousands or millions where it is round there.
export function shortCount(number) {
  for (const [size, letter] of [[1e6, "M"], [1e3, "k"]]) {
    const round = number >= 10 * size || (number >= size && number % size === 0);
    if (round) return TENTHS.format(number / size) + letter;
  }
  return count(number);
}

// A name broken into lines for a narrow column, the rest of a long one cut off.
export function wrapped(name, width = 16, mostLines = 3) {
  const lines = [""];
  for (const word of name.split(/\s+/).filter(Boolean)) {
    const fits = !lines.at(-1) || lines.at(-1).length + 1 + word.length <= width;
    if (fits) lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
    else lines.push(word);
  }
  const kept = lines.slice(0, mostLines).map((line) => shortened(line, width + 2));
  if (lines.length > mostLines) kept[mostLines - 1] = `${shortened(kept[mostLines - 1], width - 1)} …`;
  return kept;
}

export function shortened(name, longest) {
  return name.length <= longest ? name : `${name.slice(0, longest - 1).trimEnd()}…`;
}

// The smallest step of 1, 2 or 5 times a power of ten that cuts a span into at most `most` − 1 parts.
export function roundStep(span, most = 6) {
  const least = span / Math.max(1, most - 1);
  const power = least > 0 ? 10 ** Math.floor(Math.log10(least)) : 1;
  return power * [1, 2, 5, 10].find((factor) => power * factor >= least * 0.9999);
}
