import type { DemoSchema, Input } from '@origami/protocol/demo'
import styles from './demo.module.css'

/** Examples to click: pictures are shown as pictures, and everything else as text. */
export function Examples({ schema, onPick }: { schema: DemoSchema; onPick: (example: Input) => void }) {
  if (schema.examples.length === 0) return null
  return (
    <fieldset className={styles.examples}>
      <legend>Examples</legend>
      {schema.examples.map((example, index) => {
        const picture = Object.values(example).find(
          (value) => typeof value === 'string' && value.startsWith('data:image/'),
        ) as string | undefined
        return (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: examples never move
            key={index}
            type="button"
            onClick={() => onPick(example)}
            aria-label={picture ? `Example ${index + 1}` : `Example ${index + 1}: ${summaryOf(example)}`}
          >
            {picture ? <img src={picture} alt="" /> : summaryOf(example)}
          </button>
        )
      })}
    </fieldset>
  )
}

/** The first values in one line; files and objects are left out. */
function summaryOf(example: Input): string {
  const shown = Object.values(example).filter(
    (value) => value !== null && typeof value !== 'object' && !String(value).startsWith('data:'),
  )
  const text = shown.slice(0, 3).join(' · ')
  return text.length > 48 ? `${text.slice(0, 46)}…` : text || 'example'
}
