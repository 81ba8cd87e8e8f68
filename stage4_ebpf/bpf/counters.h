/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the programs count: one such struct for each CPU, in a map that the server reads as plain
 * memory. C and C++ both read this file.
 */
#pragma once

#include <linux/types.h>

#ifndef __cplusplus
#define static_assert _Static_assert
#endif

/* Two cache lines, so that the prefetcher of a neighbouring CPU does not pull at ours. */
#define RPS_COUNTERS_ALIGN 128

struct rps_counters {
	__u64 reads;
	__u64 read_bytes;
	__u64 writes;
	__u64 write_bytes;
	__u64 retransmits;
	__u64 connections_opened;
	__u64 connections_closed;
	__u64 listeners;
	__u64 listeners_lost; /* Sockets that listen unobserved: there was no memory for the tag. */
} __attribute__((aligned(RPS_COUNTERS_ALIGN)));

static_assert(sizeof(struct rps_counters) == RPS_COUNTERS_ALIGN,
	      "an array of counters must have no gaps that one side does not see");
