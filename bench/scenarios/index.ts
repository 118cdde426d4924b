import type { Scenario } from '../testbed.ts';
import { scenario as cluster } from './cluster.ts';
import { scenario as flashSale } from './flash-sale.ts';
import { scenario as forwarded } from './forwarded.ts';
import { scenario as growth } from './growth.ts';
import { scenario as hotPackage } from './hot-package.ts';
import { scenario as live } from './live.ts';
import { scenario as lookUps } from './look-ups.ts';
import { scenario as manyPackages } from './many-packages.ts';
import { scenario as overload } from './overload.ts';
import { scenario as restate } from './restate.ts';
import { scenario as soldOut } from './sold-out.ts';
import { scenario as start } from './start.ts';

/** In the order of running and reporting. */
export const scenarios: readonly Scenario[] = [
  hotPackage,
  restate,
  soldOut,
  flashSale,
  manyPackages,
  cluster,
  forwarded,
  lookUps,
  live,
  overload,
  growth,
  start,
];
