using System.Reflection;

namespace Sketch.Storage.Embedded;

/// <summary>Finds libchdb.so, the embedded ClickHouse engine.</summary>
public static class LibChdbPath
{
    /// <summary>The environment variable that names the file.</summary>
    public const string Variable = "SKETCH_LIBCHDB";

    private const string FileName = "libchdb.so";

    /// <summary>
    /// The file to load: <paramref name="option"/>, else what the environment says, else where the build found it, else beside the assembly.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is none; the message says how to install it.</exception>
    public static string Resolve(string? option = null)
    {
        // A file that was named is taken or refused, never replaced by another one.
        string? named = NullIfEmpty(option) ?? NullIfEmpty(Environment.GetEnvironmentVariable(Variable));
        string[] candidates = named is not null
            ? [named]
            : [.. BuildPath(), Path.Combine(AppContext.BaseDirectory, FileName)];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException(
                $"The embedded ClickHouse engine is not at {string.Join(" nor at ", candidates)}. Install it with `npm ci` in the "
                + $"repository's root (it puts it into node_modules/@chdb), or name the file in {Variable}.", FileName);
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;

    private static IEnumerable<string> BuildPath() =>
        typeof(LibChdbPath).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(a => a.Key == "LibChdb" && a.Value is not null).Select(a => a.Value!);
}
