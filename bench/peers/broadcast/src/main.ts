import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule, getRepositoryToken } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import { MoreThan, Repository } from 'typeorm';
import { BroadcastProcessor } from './broadcast.processor';
import { Recipient, SentMessage } from './entities';

const redis = new URL(process.env.REDIS_URL ?? '');
const AT_A_TIME = 1000;

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      entities: [Recipient, SentMessage],
      synchronize: true, // a database for one run: the tables are made at the start
      poolSize: Number(process.env.POOL_SIZE ?? 20),
    }),
    TypeOrmModule.forFeature([Recipient, SentMessage]),
    BullModule.forRoot({
      connection: {
        host: redis.hostname,
        port: Number(redis.port),
        password: decodeURIComponent(redis.password),
      },
      defaultJobOptions: { removeOnComplete: true, attempts: 3, backoff: 1000 },
    }),
    BullModule.registerQueue({ name: 'broadcast' }),
  ],
  providers: [BroadcastProcessor],
})
class PeerModule {}

/** Launch: a job for every recipient, a thousand at a time. */
async function launch(recipients: Repository<Recipient>, queue: Queue): Promise<void> {
  let last = '0';
  for (;;) {
    const found = await recipients.find({
      where: { id: MoreThan(last) },
      order: { id: 'ASC' },
      take: AT_A_TIME,
    });
    if (!found.length) return;
    await queue.addBulk(
      found.map(({ id, phone, name }) => ({
        name: 'send',
        data: { recipientId: id, phone, name },
        opts: { jobId: `send-${id}` },
      })),
    );
    last = found[found.length - 1].id;
  }
}

async function start(): Promise<void> {
  const app = await NestFactory.createApplicationContext(PeerModule, { logger: ['error'] });
  console.log('ready');
  const told = setInterval(() => {
    if (!existsSync(process.env.GO_FILE ?? '')) return;
    clearInterval(told);
    void launch(app.get(getRepositoryToken(Recipient)), app.get(getQueueToken('broadcast')));
  }, 50);
}

void start();
