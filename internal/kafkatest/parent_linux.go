package kafkatest

import "syscall"

// dieWithParent makes the kernel end the broker when the test process dies, also by a test timeout.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
