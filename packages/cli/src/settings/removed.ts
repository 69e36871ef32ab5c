/** Settings that there were, by the name they had: why there are none any more, and what to do. */
const removed: Readonly<Record<string, string>> = {
  'limits.build_memory': 'is no setting any more, since it bounded no build; take it out',
}

/** What to say of a name that is no setting: that it was one, or what may have been meant. */
export const unknownSetting = (name: string, otherwise: string): string =>
  Object.hasOwn(removed, name) ? `${name} ${removed[name]}` : otherwise
