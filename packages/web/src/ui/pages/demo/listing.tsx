import type { DemoPage } from '@origami/protocol/control'
import styles from '../../parts/parts.module.css'

/** The link to an unlisted demo, for its owner to give away. */
export function UnlistedLink({ page }: { page: DemoPage }) {
  if (!page.unlisted) return null
  return (
    <p>
      Only you, and who has this link, see it here: <a href={page.unlisted}>{location.origin + page.unlisted}</a>
    </p>
  )
}

/** Puts a demo on the list, or takes it off. */
export function ListingButton({ page, onChange }: { page: DemoPage; onChange: (listing: { public: boolean }) => void }) {
  return (
    <button type="button" className={styles.button} onClick={() => onChange({ public: !page.public })}>
      {page.public ? 'Make unlisted' : 'Make public'}
    </button>
  )
}
