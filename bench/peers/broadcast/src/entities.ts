import { Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('recipients')
export class Recipient {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: string;

  @Column('text')
  phone!: string;

  @Column('text')
  name!: string;

  @Column('text', { default: 'pending' })
  status!: string;
}

@Entity('sent_messages')
export class SentMessage {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: string;

  @Column('bigint')
  recipientId!: string;

  @Index({ unique: true })
  @Column('text')
  metaMessageId!: string;

  @Column('jsonb')
  payload!: object;

  @Column('text')
  status!: string;

  @CreateDateColumn({ type: 'timestamptz' })
  sentAt!: Date;
}
