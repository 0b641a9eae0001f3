package proc

import "slices"

// Children returns the processes whose parent is that one, in rising order, also those that have ended and
// are not yet waited for.
func Children(folder string, parent int) ([]int, error) {
	processes, err := readAll(folder)
	if err != nil {
		return nil, err
	}
	var pids []int
	for pid, s := range processes {
		if s.parent == parent {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}
