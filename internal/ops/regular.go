package ops

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// errNotRegular is about a pipe, a device or a directory where a file of ours belongs.
var errNotRegular = errors.New("it is no regular file")

// OpenRegular is os.Open for files that the program keeps. What is none, such as a named pipe, to
// open which would wait until somebody writes to it, is an error.
func OpenRegular(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// readRegular is os.ReadFile for files that the program keeps.
func readRegular(name string) ([]byte, error) {
	file, err := OpenRegular(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}
