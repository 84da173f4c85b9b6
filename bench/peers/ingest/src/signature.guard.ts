import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  CanActivate,
  ExecutionContext,
  ForbiddenException,
  Injectable,
  RawBodyRequest,
  UnauthorizedException,
} from '@nestjs/common';
import type { Request } from 'express';

const SECRET = process.env.APP_SECRET ?? '';

/** Lets through what Meta signed: HMAC-SHA256 over the raw bytes, compared in constant time. */
@Injectable()
export class SignatureGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<RawBodyRequest<Request>>();
    const given = request.header('x-hub-signature-256');
    if (!given || !request.rawBody) throw new UnauthorizedException();
    const digest = createHmac('sha256', SECRET).update(request.rawBody).digest('hex');
    const expected = Buffer.from(`sha256=${digest}`);
    const signature = Buffer.from(given);
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new ForbiddenException();
    }
    return true;
  }
}
