const tokens =
  /\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|ori_[A-Za-z0-9_-]{16,})/g
// A scheme is short: without a bound, a long line of letters and dots would be looked through from each of them.
const userinfo = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]+@/gi

/** A line without what looks like a token. */
export const redact = (line: string): string => {
  const tokenless = line.replaceAll(tokens, '[token]')
  // Most lines have no address, and looking for one costs more than all else that is done with a line.
  return tokenless.includes('://') ? tokenless.replaceAll(userinfo, '$1[token]@') : tokenless
}
