import { Tabs } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'
import styles from '../../parts/parts.module.css'

export type DemoTab = 'about' | 'api' | 'results' | 'deployments' | 'moderation'

/** A tab below a demo: its label, and the panel that is drawn while it is selected. */
export interface DemoPanel {
  readonly tab: DemoTab
  readonly label: string
  readonly content: ReactNode
}

/** The row of tabs below a demo, and the panel of the selected one. Arrow keys, Home and End move between tabs. */
export function DemoTabs({
  panels,
  chosen,
  onChoose,
}: {
  panels: readonly DemoPanel[]
  chosen: DemoTab
  onChoose: (tab: DemoTab) => void
}) {
  return (
    <Tabs.Root className={styles.stack} value={chosen} onValueChange={onChoose}>
      <Tabs.List className={styles.tabs} aria-label="More about this demo" activateOnFocus>
        {panels.map(({ tab, label }) => (
          <Tabs.Tab key={tab} value={tab}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {panels.map(({ tab, content }) => (
        <Tabs.Panel key={tab} value={tab} className={styles.stack}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  )
}
