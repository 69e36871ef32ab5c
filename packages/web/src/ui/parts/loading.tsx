import styles from './parts.module.css'

/** In the place, and about the shape, of what is coming. */
export const Loading = ({ what }: { what: string }) => (
  <div className={styles.skeleton} role="status" aria-busy="true" aria-label={`Loading ${what}`} />
)
