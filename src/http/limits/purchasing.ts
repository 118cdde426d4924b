import type { AppDeps } from '../deps.ts';
import { problem } from '../problem.ts';
import { type Handle, limited, limitedPage } from './limited.ts';

type Deps = Pick<AppDeps, 'limits' | 'admission' | 'telemetry'>;

/**
 * A handler of purchases: behind the limit of its client, and while the server is far behind, 503 `overloaded`
 * before anything of the request is read.
 */
export function purchasing(deps: Deps, handle: Handle): Handle {
  return limited(
    deps.limits?.purchase,
    admitted(deps, handle, (c) => problem(c, 'overloaded')),
  );
}

/** The same for pages. `overloaded` shows the problem as one. */
export function purchasingPage(deps: Deps, handle: Handle, overloaded: Handle): Handle {
  return limitedPage(deps.limits?.purchase, admitted(deps, handle, overloaded));
}

/** Nobody logs who is turned away: there are thousands. */
function admitted({ admission, telemetry }: Deps, handle: Handle, overloaded: Handle): Handle {
  if (admission === undefined) return handle;
  return (c) => {
    if (admission.admits()) return handle(c);
    telemetry?.metrics.purchase('overloaded');
    return overloaded(c);
  };
}
