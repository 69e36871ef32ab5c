/** Settings of earlier versions by their name: why they were removed, and what to do instead. */
const removed: Readonly<Record<string, string>> = {
  'limits.build_memory': 'is no setting any more, since it bounded no build; take it out',
}

/** Explains an unknown name: it was a setting once, or another one may be meant. */
export const unknownSetting = (name: string, otherwise: string): string =>
  Object.hasOwn(removed, name) ? `${name} ${removed[name]}` : otherwise
