import 'reflect-metadata';
import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InboundMessage } from './inbound-message.entity';
import { WebhookController } from './webhook.controller';
import { WebhookService } from './webhook.service';

const redis = new URL(process.env.REDIS_URL ?? '');

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      entities: [InboundMessage],
      synchronize: true, // a database for one run: the table is made at the start
      poolSize: Number(process.env.POOL_SIZE ?? 10),
    }),
    TypeOrmModule.forFeature([InboundMessage]),
    BullModule.forRoot({
      connection: {
        host: redis.hostname,
        port: Number(redis.port),
        password: decodeURIComponent(redis.password),
      },
      defaultJobOptions: { removeOnComplete: true, attempts: 3, backoff: 1000 },
    }),
    BullModule.registerQueue({ name: 'inbound' }),
  ],
  controllers: [WebhookController],
  providers: [WebhookService],
})
class PeerModule {}

async function start(): Promise<void> {
  const app = await NestFactory.create(PeerModule, { rawBody: true, logger: ['error'] });
  await app.listen(Number(process.env.PORT), '127.0.0.1');
}

void start();
