import styles from './parts.module.css'

/** A placeholder in the place, and about the size, of what is loading. */
export const Loading = ({ what }: { what: string }) => (
  <div className={styles.skeleton} role="status" aria-busy="true" aria-label={`Loading ${what}`} />
)
