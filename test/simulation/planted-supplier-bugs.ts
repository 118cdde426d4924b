import type { PlantedBug } from './planted-bug.ts';

/** Bugs of the calls to suppliers. */
export const plantedSupplierBugs: readonly PlantedBug[] = [
  {
    name: 'one package may take all slots of the suppliers',
    edits: [
      {
        file: 'src/suppliers/fair-slots.ts',
        find: 'return used < (isUrgent ? 2 * free : free);',
        replace: 'return free > 0 || used < 0 || isUrgent;',
      },
    ],
  },
  {
    name: 'all packages share one circuit breaker',
    edits: [
      {
        file: 'src/suppliers/package-breakers.ts',
        find: 'const breaker = this.#breakers.get(packageId) ?? this.#create(packageId);',
        replace: 'const breaker = this.#breakers.get(0) ?? this.#create(0);',
      },
    ],
  },
  {
    name: 'a failed attempt keeps its slot',
    edits: [
      {
        file: 'src/suppliers/circuit-breaker.ts',
        find: `        } finally {
          release();
        }
      }`,
        replace: `        } finally {
          if (this.#failures === 0) release();
        }
      }`,
      },
    ],
  },
  {
    name: 'a cancel that failed keeps its slot',
    edits: [
      {
        file: 'src/suppliers/resilient-suppliers.ts',
        find: `        log.warn({ supplier: kind, orderId: key, cause }, 'A cancel is not known to have worked.');
`,
        replace: `        log.warn({ supplier: kind, orderId: key, cause }, 'A cancel is not known to have worked.');
        release = undefined;
`,
      },
    ],
  },
  {
    name: 'packages do not learn that their supplier answers again',
    edits: [
      {
        file: 'src/suppliers/resilient-suppliers.ts',
        find: '    else unavailable.delete(packageId);\n',
        replace: '    else if (packageId < 0) unavailable.delete(packageId);\n',
      },
    ],
  },
];
