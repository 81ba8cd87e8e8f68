// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Counts the system calls of chosen processes, all their threads together, where every system call
 * of the machine begins. Whoever is not chosen costs one failed look-up.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* The processes are chosen as this pid namespace numbers them; device and inode name it. */
const volatile __u64 pidns_dev = 0;
const volatile __u64 pidns_ino = 0;

/* From a process to its system calls. Whoever loads this sets max_entries and adds the keys. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

SEC("raw_tp/sys_enter")
int count_syscall(void *context)
{
	struct bpf_pidns_info info;
	__u64 *count;

	/* Fails in any other pid namespace. */
	if (bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &info, sizeof(info)))
		return 0;
	count = bpf_map_lookup_elem(&calls, &info.tgid);
	if (count)
		__sync_fetch_and_add(count, 1); /* Its threads run on many CPUs at once. */
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
