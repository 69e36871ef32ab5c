import { LogView, Strip } from '@origami/demo-ui'
import type { DemoDetail, DemoPage, Deployment } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { change } from '../../api.ts'
import styles from '../../parts/parts.module.css'
import { useLog } from './use-log.ts'

/** For its owner: what was deployed and how, the log as it comes, and the buttons. */
export function Deployments({ page, detail, refresh }: { page: DemoPage; detail: DemoDetail; refresh: () => void }) {
  const api = `/-/api/demos${page.address}`
  const log = useLog(`${api}/logs`)
  const [find, setFind] = useState('')
  const lines =
    find === ''
      ? log
      : log
          .split('\n')
          .filter((line) => line.toLowerCase().includes(find.toLowerCase()))
          .join('\n')
  return (
    <div className={styles.stack}>
      <Buttons page={page} detail={detail} api={api} refresh={refresh} />
      {page.unlisted && (
        <p>
          Only you, and who has this link, see it: <a href={page.unlisted}>{location.origin + page.unlisted}</a>
        </p>
      )}
      <ul className={styles.list}>
        {detail.deployments.map((deployment) => (
          <Row key={deployment.id} deployment={deployment} serving={deployment.id === detail.serving} />
        ))}
      </ul>
      <div className={styles.row}>
        <h2 className={styles.grow}>Log</h2>
        <input
          className={styles.field}
          style={{ width: '12rem' }}
          type="search"
          aria-label="Find in the log"
          placeholder="Find…"
          value={find}
          onChange={({ target }) => setFind(target.value)}
        />
        <a href={`${api}/logs`} download={`${page.name}.log`}>
          Download
        </a>
      </div>
      <LogView text={lines} follow label="Log of this demo" />
    </div>
  )
}

function Buttons({ page, detail, api, refresh }: { page: DemoPage; detail: DemoDetail; api: string; refresh: () => void }) {
  const navigate = useNavigate()
  const [problem, setProblem] = useState<string>()
  const act = async (work: () => Promise<unknown>) => {
    setProblem(undefined)
    await work().catch((error: unknown) => setProblem(error instanceof Error ? error.message : 'It did not work.'))
    refresh()
  }
  const post = (verb: string) => act(() => change('POST', `${api}/${verb}`, {}))
  const remove = () =>
    confirm(`Remove ${page.title}, its results and its log? This cannot be undone.`) &&
    act(async () => {
      await change('DELETE', api)
      await navigate({ to: '/-/mine' })
    })
  const { newest } = detail
  const underWay = newest !== null && newest.id !== detail.serving && newest.deadline_at !== null
  return (
    <>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <div className={styles.row}>
        <button type="button" className={styles.button} data-primary="true" onClick={() => void post('deploy')}>
          Deploy the newest commit
        </button>
        {underWay && (
          <button type="button" className={styles.button} onClick={() => void post('cancel')}>
            Cancel
          </button>
        )}
        {page.state === 'stopped' || page.state === 'failed' ? (
          <button type="button" className={styles.button} onClick={() => void post('start')}>
            Start
          </button>
        ) : (
          <button type="button" className={styles.button} onClick={() => void post('stop')}>
            Stop
          </button>
        )}
        <button
          type="button"
          className={styles.button}
          onClick={() => void act(() => change('PATCH', api, { public: !page.public }))}
        >
          {page.public ? 'Make unlisted' : 'Make public'}
        </button>
        <button type="button" className={styles.button} onClick={() => void remove()}>
          Remove
        </button>
      </div>
    </>
  )
}

function Row({ deployment, serving }: { deployment: Deployment; serving: boolean }) {
  const failed = deployment.log_tail.length > 0
  return (
    <li className={styles.sheet}>
      <div className={styles.row}>
        <span className={styles.code}>{deployment.commit?.slice(0, 7) ?? '·······'}</span>
        <span className={styles.grow}>{deployment.commit_message}</span>
        <span className={styles.mute} title={new Date(deployment.created_at).toLocaleString()}>
          {serving ? 'live' : deployment.state.replace('_', ' ')} · {new Date(deployment.created_at).toLocaleTimeString()}
        </span>
      </div>
      {deployment.reason && <p role={failed ? 'alert' : undefined}>{deployment.reason}</p>}
      <ol className={styles.steps} aria-label="Steps">
        {deployment.steps.map((step, index) => {
          const next = deployment.steps[index + 1]
          return (
            <li key={step.at + step.state}>
              {next ? '✓' : '●'} {step.state.replace('_', ' ')}{' '}
              {next && `${((Date.parse(next.at) - Date.parse(step.at)) / 1000).toFixed(1)} s`}
            </li>
          )
        })}
      </ol>
      {failed && (
        <details open>
          <summary>Its last lines</summary>
          <LogView lines={deployment.log_tail.slice(-40)} label="Last lines of the log" />
        </details>
      )}
    </li>
  )
}
