import type { DemoCard } from '@origami/protocol/control'
import styles from './parts.module.css'

const stateNames: Record<DemoCard['state'], string> = {
  running: 'live',
  building: 'building',
  waiting: 'waiting',
  failed: 'failed',
  not_linked: 'not linked',
  stopped: 'stopped',
  elsewhere: 'runs elsewhere',
  unreachable: 'does not answer',
  undeployed: 'not deployed yet',
}

/** A demo's state: a dot and a word. */
export const State = ({ state }: { state: DemoCard['state'] }) => (
  <span className={styles.state} data-state={state}>
    {stateNames[state]}
  </span>
)
