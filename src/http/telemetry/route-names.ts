import type { Hono } from 'hono';

/** What a metric calls a path that is no route: there are as many of those as anybody likes. */
const noRoute = 'other';

/**
 * Tells the route of an address, as a pattern such as `/api/orders/:id`: metrics need few names, and no ids. It reads
 * them from the app once it is composed. Addresses without variables, where sales are made, cost one look-up.
 */
export function routeNames({ routes }: Pick<Hono, 'routes'>): (url: string) => string {
  const paths = [...new Set(routes.map(({ path }) => path))].filter((path) => !path.includes('*'));
  const fixed = new Map(paths.filter((path) => !path.includes(':')).map((path) => [path, path]));
  const variable = Map.groupBy(
    paths.filter((path) => path.includes(':')).map((path) => ({ path, segments: path.split('/') })),
    ({ segments }) => segments.length,
  );

  function matching(path: string): string {
    const segments = path.split('/', 12);
    const alike = variable.get(segments.length) ?? [];
    const found = alike.find((route) =>
      route.segments.every((segment, at) => segment === segments[at] || segment.startsWith(':')),
    );
    return found?.path ?? noRoute;
  }

  return (url) => {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    return fixed.get(path) ?? matching(path);
  };
}
