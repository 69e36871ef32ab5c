import { Cover } from '@origami/demo-ui'
import type { DemoCard } from '@origami/protocol/control'
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Failed } from './failed.tsx'
import styles from './parts.module.css'
import { runCount } from './quantities.ts'
import { State } from './state.tsx'

/**
 * Demos as cards. While they load, placeholders of the same shape are shown. An error offers to try again. `empty` is
 * shown when there are none.
 */
export function DemoCards({ query, empty }: { query: UseQueryResult<{ demos: DemoCard[] }>; empty: ReactNode }) {
  const { data, isPending, error, refetch } = query
  if (isPending)
    return (
      <ul className={styles.cards} aria-busy="true" aria-label="Loading demos">
        {['a', 'b', 'c'].map((name) => (
          <li key={name} className={styles.skeleton} />
        ))}
      </ul>
    )
  if (error) return <Failed error={error} retry={() => void refetch()} />
  if (data.demos.length === 0) return <div className={styles.empty}>{empty}</div>
  return (
    <ul className={styles.cards}>
      {data.demos.map((demo) => (
        <Card key={demo.id} demo={demo} />
      ))}
    </ul>
  )
}

function Card({ demo }: { demo: DemoCard }) {
  return (
    <li className={styles.card}>
      <Link to="/$account/$name" params={{ account: demo.account, name: demo.name }}>
        <span className={styles.cover}>
          <Cover id={demo.id} title="" />
        </span>
        <strong>{demo.title}</strong>
        <span className={styles.line}>{demo.description || ' '}</span>
        <span className={styles.facts}>
          <State state={demo.state} />
          <span>{demo.account}</span>
          <span>{runCount(demo.runs)}</span>
          {!demo.public && <span>unlisted</span>}
        </span>
      </Link>
    </li>
  )
}
