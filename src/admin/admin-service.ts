import { AuditService, type AuditServiceOptions } from './audit-service.ts';
import { ChangeLog, type ChangeLogOptions } from './change-log.ts';
import { EmailEraser, type EmailEraserOptions } from './email-eraser.ts';
import { InstanceRegister } from './instance-register.ts';
import { InstanceService, type InstanceServiceOptions } from './instance-service.ts';
import { OrderService } from './order-service.ts';
import { PackageService, type PackageServiceOptions } from './package-service.ts';
import { RevokedSessions } from './revoked-sessions.ts';

/** The public members of a class. */
export type Public<Class> = Pick<Class, keyof Class>;

/**
 * Everything that operators see and do, by subject. `/api/admin` and the admin pages both use it. Every instance answers
 * for all of them.
 *
 * Methods that change something log it, also if it is refused. They return a {@link Result}: `store_unavailable` means
 * that nothing was changed; after `no_owner` and `overloaded` the change may have been made. Methods that only read throw
 * StoreUnavailableError.
 */
export interface AdminService {
  readonly packages: Public<PackageService>;
  readonly orders: Public<OrderService>;
  readonly instances: Public<InstanceService>;
  readonly eraser: Public<EmailEraser>;
  readonly audits: Public<AuditService>;
  readonly changes: Pick<ChangeLog, 'list'>;
  readonly sessions: Public<RevokedSessions>;
}

export type AdminServiceOptions = ChangeLogOptions &
  InstanceServiceOptions &
  PackageServiceOptions &
  EmailEraserOptions &
  AuditServiceOptions;

/** The service, and what a shutdown has to tell the other instances. */
export interface OpenAdminService extends AdminService {
  /** Undefined if instances do not see each other. */
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
    audits: new AuditService(options),
    changes,
    sessions: new RevokedSessions(options.store, changes),
    register,
  };
}
