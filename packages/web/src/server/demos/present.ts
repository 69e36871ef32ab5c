import type { DemoCard, DemoPage } from '@origami/protocol/control'
import type { Owned } from '../store/demos.ts'

export const demoPath = (demo: Owned): string => `/${demo.handle}/${demo.name}`

export const presentCard = (demo: Owned): DemoCard => ({
  id: demo.id,
  address: demoPath(demo),
  account: demo.handle,
  name: demo.name,
  title: demo.title,
  description: demo.description,
  state: demo.state,
  public: demo.public,
  runs: demo.runs,
  created_at: demo.created_at,
})

/** A demo's page. Its owner's page has the daemon's details. */
export function presentPage(
  demo: Owned,
  { mine, controls }: Pick<DemoPage, 'mine' | 'controls'>,
  detail: NonNullable<DemoPage['detail']> | undefined,
): DemoPage {
  return {
    ...presentCard(demo),
    ...(detail ? { state: detail.status, runs: detail.runs } : {}),
    ...(detail?.schema ? { title: detail.schema.title, description: detail.schema.description } : {}),
    link: demo.url === null && (mine || !demo.private) ? demo.link : null,
    url: demo.url,
    unlisted: mine && !demo.public ? `${demoPath(demo)}?key=${demo.key}` : null,
    commit: detail?.commit ?? demo.commit,
    schema: detail?.schema ?? demo.schema,
    cross_origin: demo.crossOrigin,
    mine,
    controls,
    detail: mine ? (detail ?? null) : null,
  }
}
