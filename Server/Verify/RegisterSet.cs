namespace Sketch.Server.Verify;

/// <summary>Registers of a HyperLogLog that are not zero: indexes and ranks as the store has them, in as few bytes as they need.</summary>
internal sealed class RegisterSet
{
    private uint[] _registers = []; // index << 8 | rank, ascending

    /// <summary>Raises registers; indexes ascend.</summary>
    public void Raise(IReadOnlyList<uint> indexes, IReadOnlyList<byte> ranks)
    {
        List<uint> merged = new(_registers.Length + indexes.Count);
        int held = 0;
        for (int i = 0; i < indexes.Count; i++)
        {
            for (; held < _registers.Length && _registers[held] >> 8 < indexes[i]; held++)
                merged.Add(_registers[held]);
            uint rank = ranks[i];
            if (held < _registers.Length && _registers[held] >> 8 == indexes[i])
                rank = Math.Max(rank, _registers[held++] & 0xFF);
            merged.Add((indexes[i] << 8) | rank);
        }

        merged.AddRange(_registers.AsSpan(held));
        _registers = [.. merged];
    }

    /// <summary>How many registers are lower in another state, or missing from it, and how many are higher there, or only there.</summary>
    public (int Missing, int Extra) Against(IReadOnlyList<uint> indexes, IReadOnlyList<byte> ranks)
    {
        Dictionary<uint, byte> others = [];
        for (int i = 0; i < indexes.Count; i++)
            others[indexes[i]] = ranks[i];
        int missing = 0, extra = others.Count;
        foreach (uint register in _registers)
        {
            byte rank = (byte)register;
            byte other = others.GetValueOrDefault(register >> 8);
            missing += other < rank ? 1 : 0;
            extra -= other > 0 && other <= rank ? 1 : 0;
        }

        return (missing, extra);
    }
}
