import { AuditService, type AuditServiceOptions } from './audit-service.ts';
import { ChangeLog, type ChangeLogOptions } from './change-log.ts';
import { DeadLetterService, type DeadLetterServiceOptions } from './dead-letter-service.ts';
import { EmailEraser, type EmailEraserOptions } from './email-eraser.ts';
import { InstanceRegister } from './instance-register.ts';
import { InstanceService, type InstanceServiceOptions } from './instance-service.ts';
import { OrderService } from './order-service.ts';
import { PackageService, type PackageServiceOptions } from './package-service.ts';
import { RevokedSessions } from './revoked-sessions.ts';

/** The public members of a class. */
export type Public<Class> = Pick<Class, keyof Class>;

/**
 * Everything that operators see and do, by subject. `/api/admin` and the admin pages both use it. Every instance
 * answers for the whole cluster.
 *
 * Methods that change something log the attempt, also if it is refused. They return a {@link Result}:
 * `store_unavailable` means that nothing was changed; after `no_owner` and `overloaded` the change may have been made.
 * Methods that only read throw StoreUnavailableError.
 */
export interface AdminService {
  readonly packages: Public<PackageService>;
  readonly orders: Public<OrderService>;
  readonly instances: Public<InstanceService>;
  readonly eraser: Public<EmailEraser>;
  readonly deadLetters: Public<DeadLetterService>;
  readonly audits: Public<AuditService>;
  readonly changes: Pick<ChangeLog, 'list'>;
  readonly sessions: Public<RevokedSessions>;
}

export type AdminServiceOptions = ChangeLogOptions &
  InstanceServiceOptions &
  PackageServiceOptions &
  EmailEraserOptions &
  DeadLetterServiceOptions &
  AuditServiceOptions;

/** The admin service, and the register in which a shutdown notes that this instance leaves. */
export interface OpenAdminService extends AdminService {
  /** Undefined for a single instance without a cluster. */
  readonly register: InstanceRegister | undefined;
}

export function createAdminService(options: AdminServiceOptions): OpenAdminService {
  const changes = new ChangeLog(options);
  const { peers } = options.engine;
  const register = peers && new InstanceRegister({ ...options, peers });
  const instances = new InstanceService(options, changes, register);
  return {
    packages: new PackageService(options, instances, changes),
    orders: new OrderService(options, changes),
    instances,
    eraser: new EmailEraser(options, changes),
    deadLetters: new DeadLetterService(options, changes),
    audits: new AuditService(options),
    changes,
    sessions: new RevokedSessions(options.store, changes, options.clock),
    register,
  };
}
