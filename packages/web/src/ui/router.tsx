import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Gallery } from './pages/gallery.tsx'
import { NotFound } from './parts/not-found.tsx'
import { Shell } from './parts/shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

/** A demo's page stays as it is while it shows one prediction or another. */
const demo = createRoute({
  getParentRoute: () => root,
  path: '/$account/$name',
  component: lazyRouteComponent(() => import('./pages/demo/demo-page.tsx'), 'DemoPage'),
})

/** A parameter of an address, where it is text. */
const text = <Name extends string>(search: Record<string, unknown>, name: Name): { [one in Name]?: string } =>
  (typeof search[name] === 'string' ? { [name]: search[name] } : {}) as { [one in Name]?: string }

/** Every address of a page. Our own are under `/-/`, where no account is. */
const routes = [
  createRoute({ getParentRoute: () => root, path: '/', component: Gallery }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/sign-in',
    validateSearch: (search): { failed?: string; return?: string } => ({
      ...text(search, 'failed'),
      ...text(search, 'return'),
    }),
    component: lazyRouteComponent(() => import('./pages/sign-in.tsx'), 'SignIn'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/new',
    validateSearch: (search): { link?: string } => text(search, 'link'),
    component: lazyRouteComponent(() => import('./pages/new-demo.tsx'), 'NewDemo'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/mine',
    component: lazyRouteComponent(() => import('./pages/mine.tsx'), 'Mine'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/account',
    component: lazyRouteComponent(() => import('./pages/account.tsx'), 'Account'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/device',
    validateSearch: (search): { code?: string } => text(search, 'code'),
    component: lazyRouteComponent(() => import('./pages/device.tsx'), 'Device'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/-/docs',
    component: lazyRouteComponent(() => import('./pages/docs/docs.tsx'), 'Docs'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/$account',
    component: lazyRouteComponent(() => import('./pages/owner.tsx'), 'Owner'),
  }),
  demo.addChildren([createRoute({ getParentRoute: () => demo, path: 'predictions/$id' })]),
]

export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: 'intent' })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
