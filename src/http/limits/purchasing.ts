import type { AppServices } from '../app-services.ts';
import { problem } from '../problem.ts';
import { limited, limitedPage, type RouteHandler } from './limited.ts';

type Deps = Pick<AppServices, 'limits' | 'admission' | 'telemetry'>;

/**
 * A handler of purchases: behind the limit of its client, and while the server is far behind, 503 `overloaded`
 * before anything of the request is read.
 */
export function purchasing(deps: Deps, handle: RouteHandler): RouteHandler {
  return limited(
    deps.limits?.purchase,
    admitted(deps, handle, (c) => problem(c, 'overloaded')),
  );
}

/** The same for pages. `overloaded` shows the problem as one. */
export function purchasingPage(deps: Deps, handle: RouteHandler, overloaded: RouteHandler): RouteHandler {
  return limitedPage(deps.limits?.purchase, admitted(deps, handle, overloaded));
}

/** Nobody logs who is turned away: there are thousands. */
function admitted(
  { admission, telemetry }: Deps,
  handle: RouteHandler,
  overloaded: RouteHandler,
): RouteHandler {
  if (admission === undefined) return handle;
  return (c) => {
    if (admission.admits()) return handle(c);
    telemetry?.metrics.purchase('overloaded');
    return overloaded(c);
  };
}
