import { LogView, Strip } from '@origami/demo-ui'
import { type DemoPage, isEnded } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { change } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import { Failed } from '../../parts/failed.tsx'
import styles from '../../parts/parts.module.css'
import { useAct } from '../../parts/use-act.ts'
import { DeploymentRow } from './deployment-row.tsx'
import { useLog } from './use-log.ts'

type Detail = NonNullable<DemoPage['detail']>

/** For its owner: what was deployed and how, the log as it comes, and the buttons. */
export function Deployments({ page, detail, refresh }: { page: DemoPage; detail: Detail; refresh: () => void }) {
  const api = `/-/api/demos${page.address}`
  const { text: log, error, retry } = useLog(`${api}/logs`)
  const [find, setFind] = useState('')
  const [following, setFollowing] = useState(true)
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
        {detail.deployments.map((deployment, index) => (
          <DeploymentRow
            key={deployment.id}
            deployment={deployment}
            serving={deployment.id === detail.serving}
            last={detail.deployments.slice(index + 1).find(({ steps }) => steps.some(({ state }) => state === 'running'))}
          />
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
        <label className={styles.mute}>
          <input type="checkbox" checked={following} onChange={({ target }) => setFollowing(target.checked)} /> Follow
        </label>
        <a href={`${api}/logs`} download={`${page.name}.log`}>
          Download
        </a>
      </div>
      {error && <Failed error={error} retry={retry} />}
      <LogView text={lines} follow={following} label="Log of this demo" />
    </div>
  )
}

function Buttons({ page, detail, api, refresh }: { page: DemoPage; detail: Detail; api: string; refresh: () => void }) {
  const navigate = useNavigate()
  const { problem, act } = useAct(refresh)
  const post = (verb: string) => act(() => change('POST', `${api}/${verb}`, {}))
  const remove = () =>
    act(async () => {
      await change('DELETE', api)
      await navigate({ to: '/-/mine' })
    })
  const { newest } = detail
  const underWay = newest !== null && newest.state !== 'running' && !isEnded(newest.state)
  return (
    <>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <div className={styles.row}>
        <button type="button" className={styles.button} data-primary="true" onClick={() => post('deploy')}>
          Deploy the newest commit
        </button>
        {underWay && (
          <button type="button" className={styles.button} onClick={() => post('cancel')}>
            Cancel
          </button>
        )}
        {page.state === 'stopped' || page.state === 'failed' ? (
          <button type="button" className={styles.button} onClick={() => post('start')}>
            Start
          </button>
        ) : (
          <button type="button" className={styles.button} onClick={() => post('stop')}>
            Stop
          </button>
        )}
        <button type="button" className={styles.button} onClick={() => act(() => change('PATCH', api, { public: !page.public }))}>
          {page.public ? 'Make unlisted' : 'Make public'}
        </button>
        <ConfirmButton
          label="Remove"
          question={`Remove ${page.title}?`}
          detail="Its results, its log and its permalinks go with it. This cannot be undone."
          onConfirm={remove}
        />
      </div>
    </>
  )
}
