import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { pagePaths } from '../page-paths.ts'
import { GalleryPage } from './pages/gallery.tsx'
import { NotFound } from './parts/not-found.tsx'
import { Shell } from './parts/shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

/** One route for both, so that a demo's page keeps its state when another prediction is shown. */
const demo = createRoute({
  getParentRoute: () => root,
  path: pagePaths.demo,
  component: lazyRouteComponent(() => import('./pages/demo/demo-page.tsx'), 'DemoPageView'),
})

/** A parameter of an address, if it is a text. */
const textParameter = <Name extends string>(search: Record<string, unknown>, name: Name): { [one in Name]?: string } =>
  (typeof search[name] === 'string' ? { [name]: search[name] } : {}) as { [one in Name]?: string }

/** All pages by their addresses. Our own are under `/-/`, where no account can be. */
const routes = [
  createRoute({ getParentRoute: () => root, path: pagePaths.gallery, component: GalleryPage }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.signIn,
    validateSearch: (search): { failed?: string; return?: string } => ({
      ...textParameter(search, 'failed'),
      ...textParameter(search, 'return'),
    }),
    component: lazyRouteComponent(() => import('./pages/sign-in.tsx'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.newDemo,
    validateSearch: (search): { link?: string } => textParameter(search, 'link'),
    component: lazyRouteComponent(() => import('./pages/new-demo.tsx'), 'NewDemoPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.mine,
    component: lazyRouteComponent(() => import('./pages/mine.tsx'), 'MinePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.account,
    component: lazyRouteComponent(() => import('./pages/account.tsx'), 'AccountPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.device,
    validateSearch: (search): { code?: string } => textParameter(search, 'code'),
    component: lazyRouteComponent(() => import('./pages/device.tsx'), 'DevicePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.docs,
    component: lazyRouteComponent(() => import('./pages/docs/docs.tsx'), 'DocsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: pagePaths.owner,
    component: lazyRouteComponent(() => import('./pages/owner.tsx'), 'OwnerPage'),
  }),
  demo.addChildren([createRoute({ getParentRoute: () => demo, path: 'predictions/$id' })]),
]

export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: 'intent' })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
