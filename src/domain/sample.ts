import type { TravelPackage } from './travel-package.ts';

/** What is on sale in a store that was empty. */
export const samplePackages: readonly TravelPackage[] = [
  { id: 1, flight: 'Flight-1', stay: '2022-08-09', price: 100, quota: 1, version: 1 },
  { id: 2, flight: 'Flight-2', stay: '2022-08-09', price: 100, quota: 2, version: 1 },
  { id: 3, flight: 'Flight-3', stay: '2022-08-10', price: 100, quota: 2, version: 1 },
  { id: 4, flight: 'Flight-3', stay: '2022-08-11', price: 100, quota: 2, version: 1 },
];
