package file

import (
	"io/fs"
	"os"
)

// renameChecked looks before it renames, where the system cannot do both at
// once. Nobody else makes our names, so nothing comes between.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(from); err != nil {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}
