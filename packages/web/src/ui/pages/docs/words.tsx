import { Fragment } from 'react'

/** A text with `code` in it. */
export function Words({ text }: { text: string }) {
  return text.split('`').map((part, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name, and never move
    return index % 2 === 0 ? <Fragment key={index}>{part}</Fragment> : <code key={index}>{part}</code>
  })
}
