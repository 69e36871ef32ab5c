import { ApiSnippets, Demo } from '@origami/demo-ui'
import type { DemoPage as Page } from '@origami/protocol/control'
import type { Input } from '@origami/protocol/demo'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import { isMissing } from '../../api.ts'
import { Failed } from '../../parts/failed.tsx'
import { Loading } from '../../parts/loading.tsx'
import { NotFound } from '../../parts/not-found.tsx'
import styles from '../../parts/parts.module.css'
import { runCount } from '../../parts/quantities.ts'
import { State } from '../../parts/state.tsx'
import { useTitle } from '../../parts/use-title.ts'
import { type DemoPanel, type DemoTab, DemoTabs } from './demo-tabs.tsx'
import { Deployments } from './deployments.tsx'
import { OwnedElsewhere } from './listed.tsx'
import { Moderation } from './moderation.tsx'
import { NotDeployed } from './not-deployed.tsx'
import { Results } from './results.tsx'
import { blockedBy, StateStrip } from './state-strip.tsx'
import { useDemoPage } from './use-demo-page.ts'

/**
 * A demo, to be tried, read about and called, and for its owner to be deployed. With a prediction's id in the address
 * it shows that prediction.
 */
export function DemoPageView() {
  const { account = '', name = '', id } = useParams({ strict: false })
  const navigate = useNavigate()
  const { page, error, refresh } = useDemoPage(account, name)
  const [input, setInput] = useState<Input>({})
  const [tab, setTab] = useState<DemoTab>(() => (location.hash === '#deployments' ? 'deployments' : 'about'))
  useTitle(page?.title)
  const queries = useQueryClient()
  const ended = useCallback(() => {
    refresh()
    void queries.invalidateQueries({ queryKey: ['results'] })
  }, [refresh, queries])
  const askSession = useSessionOnTrouble(page, error)
  useMoved(page?.address, `/${account}/${name}`)
  if (isMissing(error)) return <NotFound />
  if (error && !page) return <Failed error={error} retry={refresh} />
  if (!page) return <Loading what="the demo" />
  const show = (prediction: string | undefined) => {
    const params = { account, name }
    void (prediction
      ? navigate({
          to: '/$account/$name/predictions/$id',
          params: { ...params, id: prediction },
          replace: true,
          resetScroll: false,
        })
      : navigate({ to: '/$account/$name', params, replace: true, resetScroll: false }))
  }
  return (
    <div className={styles.stack}>
      <Head page={page} />
      <StateStrip page={page} />
      {page.state === 'undeployed' && page.mine && <NotDeployed page={page} refresh={refresh} />}
      {page.schema && (
        <Demo
          base={page.address}
          schema={page.schema}
          prediction={id}
          onPrediction={show}
          onInput={setInput}
          onEnded={ended}
          onUnheard={askSession}
          blocked={blockedBy(page)}
        />
      )}
      {page.url && <RunsElsewhere url={page.url} />}
      <DemoTabs panels={panelsOf(page, input, refresh)} chosen={tab} onChoose={setTab} />
    </div>
  )
}

/**
 * Asks for the state of server and daemon when a failure suggests that one of them is away, so that the strip above the
 * page says it within seconds. What an owner's page shows comes from the daemon.
 */
function useSessionOnTrouble(page: Page | undefined, error: Error | undefined): () => void {
  const queries = useQueryClient()
  const askSession = useCallback(() => void queries.invalidateQueries({ queryKey: ['session'] }), [queries])
  const lacksDetail = page?.mine === true && page.url === null && page.detail === null
  useEffect(() => {
    if (error || lacksDetail) askSession()
  }, [error, lacksDetail, askSession])
  return askSession
}

/** A renamed demo still answers at its old address. The page continues at the new one. */
function useMoved(address: string | undefined, asked: string): void {
  const navigate = useNavigate()
  useEffect(() => {
    if (address === undefined || address === asked) return
    void navigate({ href: location.pathname.replace(asked, address) + location.search, replace: true })
  }, [address, asked, navigate])
}

function Head({ page }: { page: Page }) {
  return (
    <div>
      <div className={styles.row}>
        <h1>{page.title}</h1>
        <State state={page.state} />
      </div>
      <p className={styles.facts}>
        <a href={`/${page.account}`}>{page.account}</a>
        {page.commit && <span className={styles.code}>{page.commit.slice(0, 7)}</span>}
        {!page.url && <span>{runCount(page.runs)}</span>}
      </p>
      {page.description && <p className={styles.lead}>{leadOf(page)}</p>}
    </div>
  )
}

function RunsElsewhere({ url }: { url: string }) {
  return (
    <section className={styles.sheet} aria-label="Where it runs">
      <p>
        This demo runs on its author's own server. Origami shows that it is there; what you send goes to that server
        alone.
      </p>
      <a className={styles.button} data-primary="true" href={url} target="_blank" rel="noopener noreferrer">
        Open {new URL(url).host}
      </a>
    </section>
  )
}

function About({ page }: { page: Page }) {
  return (
    <div className={styles.stack}>
      {page.description ? (
        <p className={styles.text}>{restOf(page)}</p>
      ) : (
        <p>Its author has written nothing about it yet.</p>
      )}
      {page.link && (
        <p>
          From <a href={page.link}>{page.link.replace('https://', '')}</a>
        </p>
      )}
    </div>
  )
}

const leadOf = ({ description }: Page): string => description.split('\n\n')[0] ?? ''
const restOf = (page: Page): string => page.description.slice(leadOf(page).length).trim()

/** The tabs below a demo. Last comes the one of its owner, or of the owner of this server. */
function panelsOf(page: Page, input: Input, refresh: () => void): readonly DemoPanel[] {
  const { address, schema, detail, url } = page
  const panels: DemoPanel[] = [{ tab: 'about', label: 'About', content: <About page={page} /> }]
  if (schema) {
    panels.push({ tab: 'api', label: 'API', content: <ApiSnippets base={address} schema={schema} input={input} /> })
    panels.push({ tab: 'results', label: 'My results', content: <Results page={page} /> })
  }
  if (page.mine && url)
    panels.push({ tab: 'deployments', label: 'Listing', content: <OwnedElsewhere page={page} refresh={refresh} /> })
  else if (page.mine && detail)
    panels.push({
      tab: 'deployments',
      label: 'Deployments',
      content: <Deployments page={page} detail={detail} refresh={refresh} />,
    })
  else if (page.controls && !page.mine)
    panels.push({ tab: 'moderation', label: 'Moderation', content: <Moderation page={page} refresh={refresh} /> })
  return panels
}
